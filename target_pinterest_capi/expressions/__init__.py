"""The mapping language: from JMESPath text to functions of a record, and the columns that they read."""
