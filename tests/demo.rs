//! The demo as a person runs it: what it prints, how it exits, that nothing is left running.
