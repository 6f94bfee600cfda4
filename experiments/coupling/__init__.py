"""The parts of experiments/coupling_study.py."""
