"""The command line: `fedround`, also as `kubectl fedround`."""
