"""From the plan of a run to its measurements: plan, infer, collect, measure."""
