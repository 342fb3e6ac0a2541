"""Systems beside one another, as the DISC21 paper's tables 2 and 3 have them."""
