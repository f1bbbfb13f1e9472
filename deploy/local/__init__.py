"""An AWS of one process on 127.0.0.1: MiniStack's control plane and database, our execute-api.

MiniStack keeps an API's configuration but does not run DynamoDB service integrations, so requests
to a deployed API are served by `gateway`, which reads that configuration through the API Gateway
API and never looks at `deploy/template.yml`. Every other request goes to MiniStack unchanged.
"""
