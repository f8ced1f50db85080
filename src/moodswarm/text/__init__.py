"""From text to text: cleaning, sentences, chunks. Knows neither stores nor models."""
