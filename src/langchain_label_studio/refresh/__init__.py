"""Existing projects with today's page. See `plan_refresh` and `carry_out`."""
