"""The mapping language: from JMESPath text to functions of a record."""
