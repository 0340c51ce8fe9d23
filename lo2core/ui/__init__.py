"""What the pages are made of; the only part of lo2core that imports Streamlit."""
