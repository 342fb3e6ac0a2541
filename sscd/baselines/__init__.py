"""Other systems than a trained descriptor, behind one interface: what it stands beside."""
