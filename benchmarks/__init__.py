"""What a review costs, against the floor, against peers, and against itself; see `make bench`."""
