"""The faceplate in the browser and the bench's HTTP calls; the contract's part "HTTP"."""
