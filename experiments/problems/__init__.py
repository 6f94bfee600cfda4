"""Problems that several studies share: real clothing, synthetic faces with few labels."""
