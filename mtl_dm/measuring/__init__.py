"""What a trained model is worth: metrics, thresholds, calibration, evidence."""
