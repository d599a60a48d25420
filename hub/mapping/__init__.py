"""Step 6: from a conversion to the destination's fields. Read rules, then language, then the parts they are made of."""
