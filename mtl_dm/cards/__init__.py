"""What lies beside a checkpoint for whoever uses it: its data, its measured quality, its limits."""
