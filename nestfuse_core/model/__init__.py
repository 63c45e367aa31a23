"""The network: encoder, nest decoder, attention, and how it runs when it is not trained."""
