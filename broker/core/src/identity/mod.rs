//! Who is who: whether a record that a system shows is about a patient whom the bus knows.
