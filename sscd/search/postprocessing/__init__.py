"""What is done to descriptors after the network, learnt on training pictures alone."""
