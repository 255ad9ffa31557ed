"""What the schemes of clouds share: how they sign, what they call whom they know, how their answers are read."""
