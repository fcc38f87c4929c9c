//! The bounded queue between the edge and the engine.
//! When it is full it says so; it never drops.
