"""The native engine: lowering of graphs to instructions, their schedule, and the plan that runs them."""
