import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { applyTheme } from './state/preferences';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/dialog.css';
import './styles/shell.css';
import './styles/filter.css';
import './styles/panels.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/pages.css';
import './styles/operations.css';
import './styles/logs.css';
import './styles/transfer.css';
import './styles/names.css';
import './styles/firewall.css';
import './styles/backups.css';
import './styles/detection.css';
import './styles/small.css';

applyTheme();
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
