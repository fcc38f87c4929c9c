//! `squelch serve`: wires inbox, engine, store, couriers and HTTP together, and stops them in order.
