"""Files with anything in them, and kills at any moment: `make fuzz`."""
