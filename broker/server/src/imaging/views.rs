//! Which orthodontic view the codes of an image mean.
