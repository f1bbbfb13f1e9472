'use strict'
// Serves dynalite on 127.0.0.1, for deploy/local/engines/dynalite_program.py:
//
//     node serve.js FOLDER
//
// Prints one line of JSON with its port once it serves. Ends when its standard input closes, so
// that it never outlives the local cloud, even one that was killed; then FOLDER goes as well,
// because a cloud always begins empty.
//
// dynalite knows one account and one region. Each pair that a request's signature names gets a
// dynalite of its own here, as on AWS and in MiniStack.

const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const dynalite = require('dynalite')

const SCOPE = /Credential=(\w+)\/\d+\/([\w-]+)\//
const AT_ONCE_MS = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }

const folder = process.argv[2]
const databases = new Map()

function databaseFor (account, region) {
  const name = `${account}-${region}`
  let database = databases.get(name)
  if (database === undefined) {
    process.env.AWS_ACCOUNT_ID = account // dynalite reads both when it is made, for its ARNs
    process.env.AWS_REGION = region
    database = dynalite({ path: path.join(folder, name), ...AT_ONCE_MS })
    databases.set(name, database)
  }
  return database
}

function serve (request, response) {
  const scope = SCOPE.exec(request.headers.authorization || '')
  if (request.headers.origin !== undefined || scope === null) {
    // No web page has any business here, and nobody else comes without a scope.
    response.writeHead(403).end()
    return
  }
  databaseFor(scope[1], scope[2]).emit('request', request, response)
}

fs.mkdirSync(folder, { recursive: true })
const server = http.createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, serve)
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(JSON.stringify({ port: server.address().port }) + '\n')
})
process.stdin.resume()
process.stdin.on('end', () => {
  fs.rmSync(folder, { recursive: true, force: true })
  process.exit(0)
})
