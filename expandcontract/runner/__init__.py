"""The order of things: observe, judge, begin, one step, finish. CLI and server are skins over it."""
