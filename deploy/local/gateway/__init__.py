"""The execute-api data plane: deployed APIs as API Gateway serves them. Knows no engine by name."""
