"""The Lightning module, optimisers, schedules, differentiable gather and callbacks."""
