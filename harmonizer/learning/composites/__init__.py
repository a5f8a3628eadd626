"""Makes composites whose real picture is known, in batches on the device of the photographs."""
