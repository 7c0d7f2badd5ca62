"""Rules to verdict. Reads measurements, knows no network."""
