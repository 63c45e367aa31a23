"""What two cameras deliver: pictures with their times, paired, watched."""
