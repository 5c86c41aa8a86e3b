"""The parts of the fold: what each event makes true. `agent_core.fold` puts them together."""
