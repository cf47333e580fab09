"""Messages of the bus, protocol 1, made from proto/turunc/v1 by make_proto.sh."""
