"""One rig a file: an adapter before a real balancer, and what the contract does to it."""
