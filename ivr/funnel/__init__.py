"""WHAT CAME OF IT: what was counted, told as a funnel with rates and goals; a call's story; why texts failed."""
