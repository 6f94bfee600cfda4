"""The parts of report.html: each module turns numbers into one section of markup."""
