"""What happens in the org: each module tells what people do to one object."""
