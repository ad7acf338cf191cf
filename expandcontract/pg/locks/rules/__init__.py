"""From a statement's tree to the forms that it is made of; one file a family of statements."""
