"""One file a study of the paper: source, command, expected result, cost."""
