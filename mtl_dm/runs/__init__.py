"""What runs leave behind: records and cells, written by training, read by reporting."""
