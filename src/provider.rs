//! The provider's own settings and THE list of resources.
