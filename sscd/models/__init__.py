"""Views to descriptors: backbones, GeM pooling, the projection head."""
