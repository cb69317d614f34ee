"""How often is the verdict right? Worlds of known truth, reviewed as any launch, and scored."""
