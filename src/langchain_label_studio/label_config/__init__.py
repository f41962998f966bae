"""Label configs: the tag for the prompt, the control for the answer, and all others. Begin with `parse.parse_label_config`."""
