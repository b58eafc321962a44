"""What is watched in voltages and currents: order of the phases."""
