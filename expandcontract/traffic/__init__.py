"""The traffic between blue and green: switches, probes, deployers and the staged shift. Knows no database."""
