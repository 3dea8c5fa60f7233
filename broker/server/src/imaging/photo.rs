//! How large a picture is, and when it was taken, as its own header says.
