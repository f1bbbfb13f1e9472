# Prints the Makefile's own comments as its help: "##@ group", "target: ## text", and
# "#: text" above a variable with its default.
/^##@/ { targets = targets sprintf("\n%s\n", substr($0, 5)); next }
/^[a-z-]+:.*## / {
    name = $0; sub(/:.*/, "", name)
    text = $0; sub(/.*## /, "", text)
    targets = targets sprintf("  make %-18s %s\n", name, text)
    next
}
/^#: / { meaning = substr($0, 4); next }
meaning != "" && /^[A-Z_]+ \?=/ {
    fallback = $3 == "" ? "" : sprintf(" [%s]", $3)
    variables = variables sprintf("  %-18s %s%s\n", $1, meaning, fallback)
    meaning = ""
}
END {
    print "Gapless: prove, under load, that a counter handed out over HTTP is atomic."
    printf "%s", targets
    printf "\nVariables, as in make loadtest DURATION=2m\n%s", variables
    print "\nExit codes of the programs: 0 PASS, 1 FAIL, 3 INCONCLUSIVE, 2 bad usage; make itself turns"
    print "every failure into 2, so machines read reports/latest/verdict.json."
}
