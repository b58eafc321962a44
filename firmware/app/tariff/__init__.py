"""What the customer is billed by: calendar, special days, rates, demand, scripts, schedules.

Decides when which register counts. Stands below the COSEM objects and reaches others only through
references (app.attributes) and callables that app.meter hands in.
"""
