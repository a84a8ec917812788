"""What is deployed at AWS: the template, and the package of the forwarder."""
