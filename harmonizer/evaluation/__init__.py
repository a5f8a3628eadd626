"""How good learners are on composites whose real picture is known, and how fast this machine is."""
