"""The swarm: many connections in few processes, each request recorded before it is sent."""
